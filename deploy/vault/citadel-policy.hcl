# What a Citadel server may do in Vault or OpenBao, and nothing besides:
#   vault policy write citadel deploy/vault/citadel-policy.hcl
# It does not grant transit/export or transit/backup; keys are made with exportable=false and allow_plaintext_backup=false.
# With another mount or keyPrefix in Citadel's configuration, change the paths here.

# Keys in transit: make, look at, allow the deletion of, delete.
path "transit/keys/citadel-*" {
  capabilities = ["create", "read", "update", "delete"]
}
path "transit/keys" {
  capabilities = ["list"]
}
path "transit/sign/citadel-*" {
  capabilities = ["update"]
}

# To bring the key of an existing authority here: Vault's public key, under which it travels.
path "transit/wrapping_key" {
  capabilities = ["read"]
}

# The PKI engine as the upstream of our issuing authorities; leave it out where it is not used.
path "pki/root/sign-intermediate" {
  capabilities = ["update"]
}

# Our own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Checkpoints of the audit record (audit.checkpoints.vault); leave both out where they are kept elsewhere. No server may
# delete what it has sworn to, nor change how many versions are kept.
path "secret/data/citadel/audit" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/citadel/audit" {
  capabilities = ["read"]
}
