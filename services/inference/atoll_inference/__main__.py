"""`python -m atoll_inference` is `atoll-inference`."""

from atoll_inference.cli import main

raise SystemExit(main())
