"""`python -m clinic_chat`: the command line."""

from clinic_chat.cli import app

if __name__ == "__main__":
    app()
