"""`python -m ashflow` is `ashflow`."""

from ashflow.cli import main

if __name__ == "__main__":
    main()
