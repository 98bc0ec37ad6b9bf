"""Stage `describe`: what the data are, as counts, formats, figures and a contact sheet, before they train."""
