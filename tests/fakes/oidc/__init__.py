"""A strict OpenID Connect provider."""
