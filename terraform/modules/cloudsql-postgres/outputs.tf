output "host" {
  description = "The private address; without a network the name that Google's connectors ask for."
  value       = var.network == null ? google_sql_database_instance.this.connection_name : google_sql_database_instance.this.private_ip_address
}

output "port" {
  value = 5432
}

output "database" {
  value = google_sql_database.this.name
}

output "username" {
  value = google_sql_user.this.name
}

output "connection_name" {
  value = google_sql_database_instance.this.connection_name
}

output "ca_certificate" {
  description = "What the server's certificate is signed by; public."
  value       = nonsensitive(one(google_sql_database_instance.this.server_ca_cert[*].cert))
}
