"""HTTP in, HTTP out: parse the request, call serving, shape the answer."""
