#!/usr/bin/env bash
# The template: its form, what it holds once SAM has expanded it, and whether it keeps to common policy.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(dev/python-tool.sh deploy)
export AWS_DEFAULT_REGION=ap-northeast-2 # cfn-lint knows regions apart, and asks nobody
"$tools/cfn-lint" deploy/template.yaml
"$tools/pytest" --quiet --no-header -p no:cacheprovider deploy/test_template.py
expanded=$(dev/target-dir.sh)/deploy/template.json
mkdir -p "$(dirname "$expanded")"
"$tools/python" deploy/expand.py >"$expanded"
"$tools/cfn-lint" "$expanded"
"$(dev/python-tool.sh checkov)/checkov" --config-file deploy/checkov.yaml --file "$expanded"
