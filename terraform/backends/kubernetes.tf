# Values come from a file given to `terraform init`, as data.
terraform {
  backend "kubernetes" {}
}
