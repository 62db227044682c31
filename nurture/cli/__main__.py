"""`python -m nurture.cli`, where the program `nurture` is not on the path."""

from nurture.cli.main import main

main()
