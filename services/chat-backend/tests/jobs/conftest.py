"""A backend whose inference service is a fake one, outside of the process under test."""

from job_fixtures import ada, atoll, grace, inference

__all__ = ["ada", "atoll", "grace", "inference"]
