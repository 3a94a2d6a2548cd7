"""The toy: a service that has a list of names."""
