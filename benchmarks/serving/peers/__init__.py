"""Other ways to serve the same engine, each a program with a kind, a folder and a port.

They take `{"data": …}` at `POST /run` and answer JSON. All use Atoll's engine classes, so that
weights, preprocessing and forward pass are the same.
"""
