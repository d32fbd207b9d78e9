# Google makes the AUTH string, and the provider reads it into the state: whoever reads the state has it. No output,
# plan or log does.
resource "google_redis_instance" "this" {
  name                    = var.name
  region                  = var.region
  tier                    = var.highly_available ? "STANDARD_HA" : "BASIC"
  memory_size_gb          = var.memory_gb
  redis_version           = var.redis_version
  authorized_network      = var.network
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  deletion_protection     = var.deletion_protection
  labels                  = var.labels

  maintenance_policy {
    weekly_maintenance_window {
      day = var.maintenance.day

      start_time {
        hours = var.maintenance.hour
      }
    }
  }
}

import {
  for_each = var.adopt.instance ? toset(["projects/${var.project}/locations/${var.region}/instances/${var.name}"]) : toset([])
  to       = google_redis_instance.this
  id       = each.value
}
