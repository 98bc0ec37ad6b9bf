from pathlib import Path

import pytest
import yaml

from components.errors import ParamsError
from components.params import load_params

SHIPPED = Path(__file__).parents[3] / "params.yaml"


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"learn_from": "genuine"}, "learn_from: genuine leaves no fakes; set self_blended"),
        ({"cache_features": True}, "cache_features: features that learn .* set network.freeze: true"),
        (
            {"cache_features": True, "self_blended": 0.5, "network": {"freeze": True}},
            "self-blended clips differ in every epoch; set self_blended: 0",
        ),
    ],
)
def test_settings_that_do_not_go_together(tmp_path: Path, own: dict[str, object], told: str) -> None:
    content = yaml.safe_load(SHIPPED.read_text())
    lstm = content["candidates"]["efficientnet_bilstm"]
    lstm |= own | {"network": lstm["network"] | dict(own.get("network", {}))}  # type: ignore[call-overload]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(
        ParamsError, match=rf"params\.yaml: candidates\.efficientnet_bilstm: .*{told}"
    ) as error:
        load_params(tmp_path / "params.yaml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("section", ["ingest", "training", "evaluate", "tune"])
def test_seeds_that_no_generator_takes(tmp_path: Path, section: str) -> None:
    content = yaml.safe_load(SHIPPED.read_text())
    content[section]["seed"] = -1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match=r"seed.*greater than or equal to 0"):
        load_params(tmp_path / "params.yaml")
