"""Serving: throughput and latency of batch models, beside other ways to serve them."""
