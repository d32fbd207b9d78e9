# What the platform promises of every cache, whatever it is asked for.

variables {
  project = "acme-prod"
  name    = "demo-1-cache"
  network = "projects/acme-prod/global/networks/main"
  labels  = { service = "demo" }
}

run "is_private_encrypted_and_asks_for_a_password" {
  command = plan

  assert {
    condition     = google_redis_instance.this.auth_enabled && google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION"
    error_message = "It lets anybody in, or is not encrypted."
  }

  assert {
    condition     = google_redis_instance.this.connect_mode == "PRIVATE_SERVICE_ACCESS" && google_redis_instance.this.authorized_network == "projects/acme-prod/global/networks/main"
    error_message = "It is not in the network that was named."
  }

  assert {
    condition     = google_redis_instance.this.redis_version == "REDIS_7_0" && google_redis_instance.this.deletion_protection
    error_message = "Redis 7.0, protected."
  }

  assert {
    condition     = google_redis_instance.this.labels.service == "demo"
    error_message = "The bill does not say whose it is."
  }
}

run "refuses_what_is_no_version_size_or_name" {
  command = plan

  variables {
    redis_version = "7"
    memory_gb     = 1.5
    name          = "demo'; DROP TABLE x"
    network       = "$${1+1}"
  }

  expect_failures = [var.redis_version, var.memory_gb, var.name, var.network]
}
