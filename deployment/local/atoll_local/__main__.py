"""`python -m atoll_local`."""

from atoll_local.cli import main

raise SystemExit(main())
