variable "project" {
  description = "Google project that pays for and holds the instance."
  type        = string

  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project))
    error_message = "A project ID has 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  type    = string
  default = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region is named like us-central1."
  }
}

variable "name" {
  description = "Name of the instance. Google lets nobody use it again for a week after a deletion."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", var.name))
    error_message = "An instance's name has at most 63 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "database" {
  type = string

  validation {
    condition     = length(var.database) > 0 && length(var.database) <= 63 && !contains(["postgres", "template0", "template1", "cloudsqladmin"], var.database)
    error_message = "A database's name has 1 to 63 characters and is none of PostgreSQL's or Google's own."
  }
}

variable "user" {
  type = string

  validation {
    condition     = length(var.user) > 0 && length(var.user) <= 63 && !can(regex("^(postgres$|cloudsql|pg_)", lower(var.user)))
    error_message = "A user's name has 1 to 63 characters and is none of PostgreSQL's or Google's own."
  }
}

variable "database_version" {
  type    = string
  default = "POSTGRES_15"

  validation {
    condition     = can(regex("^POSTGRES_(1[5-9]|[2-9][0-9])$", var.database_version))
    error_message = "PostgreSQL 15 or later."
  }
}

variable "tier" {
  description = "Machine type, for example db-custom-2-7680."
  type        = string

  validation {
    condition     = can(regex("^db-[-a-zA-Z0-9]{1,60}$", var.tier))
    error_message = "A machine type is named like db-custom-2-7680."
  }
}

variable "edition" {
  description = "From PostgreSQL 16 on Google's default is ENTERPRISE_PLUS, which knows no custom machine types."
  type        = string
  default     = "ENTERPRISE"

  validation {
    condition     = contains(["ENTERPRISE", "ENTERPRISE_PLUS"], var.edition)
    error_message = "ENTERPRISE or ENTERPRISE_PLUS."
  }
}

variable "highly_available" {
  type    = bool
  default = false
}

variable "disk_gb" {
  description = "Size at first; the disk grows by itself."
  type        = number
  default     = 10

  validation {
    condition     = var.disk_gb >= 10 && floor(var.disk_gb) == var.disk_gb
    error_message = "Whole gigabytes, 10 or more."
  }
}

variable "network" {
  description = "VPC network for a private address, projects/PROJECT/global/networks/NAME. Null: through Google's connectors only."
  type        = string
  default     = null

  validation {
    condition     = var.network == null || can(regex("^projects/[a-z][-a-z0-9]{4,28}[a-z0-9]/global/networks/[a-z]([-a-z0-9]*[a-z0-9])?$", var.network))
    error_message = "A network is named projects/PROJECT/global/networks/NAME."
  }
}

variable "iam_authentication" {
  type    = bool
  default = true
}

variable "deletion_protection" {
  description = "At both levels: Terraform's and the API's. Only the guided removal lifts it."
  type        = bool
  default     = true
}

variable "final_backup_days" {
  description = "How long the last backup is kept once the instance is deleted; 0: none is made."
  type        = number
  default     = 30

  validation {
    condition     = var.final_backup_days >= 0 && var.final_backup_days <= 365 && floor(var.final_backup_days) == var.final_backup_days
    error_message = "Whole days, 0 to 365."
  }
}

variable "backups" {
  type = object({
    start_time = optional(string, "03:00")
    retained   = optional(number, 7)
    log_days   = optional(number, 7)
  })
  default = {}

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.backups.start_time)) && var.backups.retained >= 1 && var.backups.retained <= 365 && var.backups.log_days >= 1 && var.backups.log_days <= 7
    error_message = "A start like 03:00 (UTC), 1 to 365 backups, 1 to 7 days of logs."
  }
}

variable "maintenance" {
  description = "Day of the week, 1 is Monday, and hour, UTC."
  type = object({
    day  = optional(number, 7)
    hour = optional(number, 4)
  })
  default = {}
}

variable "clone" {
  description = "What the instance begins as: another one of the project, as it was at a moment. Databases and users come with it."
  type = object({
    source_instance = string
    point_in_time   = string
  })
  default = null

  validation {
    condition     = var.clone == null || try(can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", var.clone.source_instance)) && can(timeadd(var.clone.point_in_time, "0s")), false)
    error_message = "The name of an instance, and a moment like 2026-01-02T03:04:05Z."
  }
}

variable "labels" {
  description = "What the bill is told by, and what says whose the instance is."
  type        = map(string)

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][-_a-z0-9]{0,62}$", key)) && can(regex("^[-_a-z0-9]{0,63}$", value))])
    error_message = "Google's labels have lower-case letters, digits, hyphens and underscores, at most 63."
  }
}

variable "password" {
  description = "The user's password, where password_secret does not say where it is. In no plan and in no state."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "password_secret" {
  description = "Version of a secret of Google's Secret Manager that holds the password."
  type = object({
    project = string
    secret  = string
    version = string
  })
  default = null
}

variable "password_version" {
  description = "Counts the passwords this user has had: the password is sent when it changes."
  type        = number
  default     = 1
}

variable "adopt" {
  description = "What an interrupted run has made but not recorded, which is to be taken over instead of made."
  type = object({
    instance = optional(bool, false)
    database = optional(bool, false)
    user     = optional(bool, false)
  })
  default = {}
}
