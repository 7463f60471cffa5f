"""Admission, lifecycle and measurement of models. Imports no runtime and no web framework.

`client` is what the routes know; it takes models from the `registry`, which owns them, and puts
requests on the `lane` of a loaded model.
"""
