# What the platform promises of every database, whatever it is asked for.

variables {
  project  = "acme-prod"
  name     = "demo-1"
  database = "app_demo"
  user     = "app_demo"
  tier     = "db-custom-2-7680"
  labels   = { service = "demo" }
  password = "of-this-test-alone"
}

run "is_protected_encrypted_and_backed_up" {
  command = plan

  assert {
    condition     = google_sql_database_instance.this.database_version == "POSTGRES_15" && google_sql_database_instance.this.settings[0].edition == "ENTERPRISE"
    error_message = "PostgreSQL 15, of an edition that knows custom machine types."
  }

  assert {
    condition     = google_sql_database_instance.this.deletion_protection && google_sql_database_instance.this.settings[0].deletion_protection_enabled
    error_message = "It is not protected at both levels."
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "It takes connections that are not encrypted."
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].backup_configuration[0].enabled && google_sql_database_instance.this.settings[0].backup_configuration[0].point_in_time_recovery_enabled && google_sql_database_instance.this.settings[0].retain_backups_on_delete
    error_message = "It is not backed up, or not to any moment."
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].user_labels.service == "demo"
    error_message = "The bill does not say whose it is."
  }
}

run "without_a_network_only_connectors_reach_it" {
  command = plan

  assert {
    condition     = google_sql_database_instance.this.settings[0].connector_enforcement == "REQUIRED"
    error_message = "Whoever knows the address may connect."
  }
}

run "with_a_network_it_has_no_public_address" {
  command = plan

  variables {
    network = "projects/acme-prod/global/networks/main"
  }

  assert {
    condition     = !google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.this.settings[0].ip_configuration[0].private_network == "projects/acme-prod/global/networks/main"
    error_message = "It has a public address."
  }
}

run "refuses_what_is_no_version_tier_or_name" {
  command = plan

  variables {
    database_version = "POSTGRES_14"
    tier             = "db-$${1+1}"
    user             = "cloudsqladmin"
    database         = "template1"
    name             = "demo'; DROP TABLE x"
  }

  expect_failures = [var.database_version, var.tier, var.user, var.database, var.name]
}
