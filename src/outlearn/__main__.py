"""`python -m outlearn`: the command line."""

from outlearn.cli import main

if __name__ == "__main__":
    main()
