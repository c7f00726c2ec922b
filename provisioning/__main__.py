"""`python -m provisioning`: the same as `blockpost`, where no console script is on the path."""

import sys

from provisioning.command import main

sys.exit(main())
