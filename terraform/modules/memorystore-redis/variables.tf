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
  type = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}[a-z0-9]$", var.name))
    error_message = "An instance's name has 2 to 41 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "redis_version" {
  type    = string
  default = "REDIS_7_0"

  validation {
    condition     = can(regex("^REDIS_[0-9]{1,2}_[0-9X]{1,2}$", var.redis_version))
    error_message = "A version is named like REDIS_7_0."
  }
}

variable "memory_gb" {
  type    = number
  default = 1

  validation {
    condition     = var.memory_gb >= 1 && var.memory_gb <= 300 && floor(var.memory_gb) == var.memory_gb
    error_message = "Whole gigabytes, 1 to 300."
  }
}

variable "highly_available" {
  type    = bool
  default = false
}

variable "network" {
  description = "VPC network, projects/PROJECT/global/networks/NAME, with private services access."
  type        = string

  validation {
    condition     = can(regex("^projects/[a-z][-a-z0-9]{4,28}[a-z0-9]/global/networks/[a-z]([-a-z0-9]*[a-z0-9])?$", var.network))
    error_message = "A network is named projects/PROJECT/global/networks/NAME."
  }
}

variable "deletion_protection" {
  description = "Terraform's; the API has none."
  type        = bool
  default     = true
}

variable "maintenance" {
  description = "Day of the week, and hour, UTC."
  type = object({
    day  = optional(string, "SUNDAY")
    hour = optional(number, 4)
  })
  default = {}
}

variable "labels" {
  description = "What the bill is told by, and what says whose the instance is."
  type        = map(string)

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][-_a-z0-9]{0,62}$", key)) && can(regex("^[-_a-z0-9]{0,63}$", value))])
    error_message = "Google's labels have lower-case letters, digits, hyphens and underscores, at most 63."
  }
}

variable "adopt" {
  description = "What an interrupted run has made but not recorded, which is to be taken over instead of made."
  type = object({
    instance = optional(bool, false)
  })
  default = {}
}
