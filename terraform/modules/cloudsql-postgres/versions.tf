terraform {
  # Write-only arguments.
  required_version = ">= 1.11.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "7.43.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
