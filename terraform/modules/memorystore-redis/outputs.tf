output "host" {
  value = google_redis_instance.this.host
}

output "port" {
  value = google_redis_instance.this.port
}

output "ca_certificates" {
  description = "What the server's certificate is signed by; public."
  value       = google_redis_instance.this.server_ca_certs[*].cert
}
