#!/usr/bin/env bash
# Checks the templates: their form, with several sets of parameters; what the chat's template holds
# once SAM has expanded it; and common policy.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(dev/python-tool.sh deploy)
export AWS_DEFAULT_REGION=ap-northeast-2 # cfn-lint needs a region, and makes no requests
"$tools/cfn-lint" deploy/template.yaml
"$tools/cfn-lint" --regions us-east-1 -- deploy/edge.yaml
"$tools/pytest" --quiet --no-header -p no:cacheprovider deploy/test_template.py
expanded=$(dev/target-dir.sh)/deploy/template.json
mkdir -p "$(dirname "$expanded")"
"$tools/python" deploy/expand.py >"$expanded"
# W2001 is a parameter that nothing uses: SAM has replaced every use of Rollout, and leaves the parameter.
"$tools/cfn-lint" --ignore-checks W2001 -- "$expanded"
for parameters in deploy/parameters/*.json; do
  "$tools/cfn-lint" --ignore-checks W2001 --parameter-files "$parameters" -- "$expanded"
done
"$(dev/python-tool.sh checkov)/checkov" --config-file deploy/checkov.yaml --file "$expanded" deploy/edge.yaml
