resource "google_sql_database_instance" "this" {
  name                = var.name
  database_version    = var.database_version
  deletion_protection = var.deletion_protection

  # Read when it is made, and never again: Google tells of no instance what it was cloned from.
  dynamic "clone" {
    for_each = var.clone[*]

    content {
      source_instance_name = clone.value.source_instance
      point_in_time        = clone.value.point_in_time
    }
  }

  settings {
    tier                        = var.tier
    edition                     = var.edition
    availability_type           = var.highly_available ? "REGIONAL" : "ZONAL"
    disk_size                   = var.clone == null ? var.disk_gb : null
    disk_type                   = "PD_SSD"
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    retain_backups_on_delete    = true
    connector_enforcement       = var.network == null ? "REQUIRED" : "NOT_REQUIRED"
    user_labels                 = var.labels

    ip_configuration {
      ssl_mode        = "ENCRYPTED_ONLY"
      ipv4_enabled    = var.network == null
      private_network = var.network
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = var.backups.start_time
      transaction_log_retention_days = var.backups.log_days

      backup_retention_settings {
        retained_backups = var.backups.retained
        retention_unit   = "COUNT"
      }
    }

    final_backup_config {
      enabled        = var.final_backup_days > 0
      retention_days = var.final_backup_days > 0 ? var.final_backup_days : null
    }

    maintenance_window {
      day          = var.maintenance.day
      hour         = var.maintenance.hour
      update_track = "stable"
    }

    database_flags {
      name  = "cloudsql.iam_authentication"
      value = var.iam_authentication ? "on" : "off"
    }
  }

  lifecycle {
    # The disk grows by itself; a clone's is as large as its source's. What it was cloned from may be gone by now.
    ignore_changes = [settings[0].disk_size, clone]
  }
}

resource "google_sql_database" "this" {
  instance = google_sql_database_instance.this.name
  name     = var.database
  # PostgreSQL drops no database that somebody is connected to: it goes with its instance.
  deletion_policy = "ABANDON"
}

ephemeral "google_secret_manager_secret_version" "password" {
  count = var.password_secret == null ? 0 : 1

  project = var.password_secret.project
  secret  = var.password_secret.secret
  version = var.password_secret.version
}

resource "google_sql_user" "this" {
  instance            = google_sql_database_instance.this.name
  name                = var.user
  password_wo         = var.password_secret == null ? var.password : one(ephemeral.google_secret_manager_secret_version.password[*].secret_data)
  password_wo_version = var.password_version
  # PostgreSQL drops no user that owns something: it goes with its instance.
  deletion_policy = "ABANDON"
}

import {
  for_each = var.adopt.instance ? toset(["projects/${var.project}/instances/${var.name}"]) : toset([])
  to       = google_sql_database_instance.this
  id       = each.value
}

import {
  for_each = var.adopt.database ? toset(["projects/${var.project}/instances/${var.name}/databases/${var.database}"]) : toset([])
  to       = google_sql_database.this
  id       = each.value
}

import {
  for_each = var.adopt.user ? toset(["${var.project}/${var.name}/${var.user}"]) : toset([])
  to       = google_sql_user.this
  id       = each.value
}
