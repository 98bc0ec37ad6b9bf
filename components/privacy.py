"""What libraries would send home is switched off; nothing leaves the machine but what the user asked for."""

import os

OPT_OUTS = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
}


def switch_off_telemetry() -> None:
    """Sets the libraries' opt-outs for this process and its children, before they are imported."""
    os.environ.update(OPT_OUTS)
