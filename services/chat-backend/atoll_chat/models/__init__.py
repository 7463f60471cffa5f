"""The models a user can pick: those of the inference service and the configured upstream."""
