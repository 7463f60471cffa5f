"""Model runtimes, one file per family, behind the small classes of `base`.

The only package that imports a runtime. An engine knows no HTTP and no queue; it can be used
from a Python prompt, which is also how the benchmarks measure the bare model.
"""
