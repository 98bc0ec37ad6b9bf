"""The web page: verdicts on uploaded videos, and how the candidates compare. Started by `unmask up`."""

from pathlib import Path

APP = Path(__file__).with_name("app.py")
"""What Streamlit is told to run; its settings stand in `.streamlit/` beside it."""
