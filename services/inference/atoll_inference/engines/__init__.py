"""Model runtimes, one file per family, behind the small classes of `base`.

The only package that imports a runtime. An engine knows no HTTP and no queue; it can be used
from a Python prompt, which is also how the benchmarks measure the bare model.
"""

import os

# Threads of llama.cpp meet hundreds of times a token. GNU OpenMP lets those that came first spin
# for the rest, which is right on an idle machine and ruinous on a busy one: the spinning threads
# take the processor from the one they wait for. After this many turns they sleep instead. It is
# read when the runtime is first imported; whoever sets it in the environment wins.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
