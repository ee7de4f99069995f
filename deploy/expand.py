#!/usr/bin/env python3
"""Prints the template as SAM expands it, which is what CloudFormation gets: expand.py [BUCKET]

The code of a function is BUCKET/<name>.zip, <name> being what `make package` calls it.
"""

import json
import logging
import os
import pathlib
import sys
from types import SimpleNamespace

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# SAM logs which of its experiments are off.
logging.getLogger("samtranslator.feature_toggle.feature_toggle").setLevel(logging.ERROR)

TEMPLATE = pathlib.Path(__file__).parent / "template.yaml"


def source() -> dict:
    """The template as it stands, with `!Ref x` as `{"Ref": "x"}`."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def expand(bucket: str = "code") -> dict:
    """The template that SAM makes of it."""
    # SAM looks up what a region offers in data of its own, and makes no requests.
    os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-2")
    template = source()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource["Metadata"]["BuildProperties"]["Binary"]
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{binary}.zip"
    return transform(template, {}, SimpleNamespace(load=lambda: {}))


if __name__ == "__main__":
    json.dump(expand(*sys.argv[1:]), sys.stdout, indent=2)
