#!/bin/sh
# curl as three agents with secrets: nothing but a form, HTTP Basic and sed. Facts come as variables of the environment.
set -eu

# exchange CLIENT_ID:SECRET SUBJECT_TOKEN SUBJECT_TOKEN_TYPE RESOURCE SCOPE: the answer's JSON, whatever its status.
exchange() {
  curl --silent --show-error --user "$1" "$TOKEN_ENDPOINT" \
    --data-urlencode "grant_type=$GRANT_TYPE" \
    --data-urlencode "subject_token=$2" \
    --data-urlencode "subject_token_type=$3" \
    --data-urlencode "resource=$4" \
    --data-urlencode "scope=$5"
}

token() {
  sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}

one=$(exchange "$CLIENT_1" "$SUBJECT_TOKEN" "$SUBJECT_TOKEN_TYPE_1" "$RESOURCE_1" "$SCOPE_1" | token)
two=$(exchange "$CLIENT_2" "$one" "$SUBJECT_TOKEN_TYPE_2" "$RESOURCE_2" "$SCOPE_2" | token)
three=$(exchange "$CLIENT_3" "$two" "$SUBJECT_TOKEN_TYPE_3" "$RESOURCE_3" "$SCOPE_3" | token)
answer=$(curl --silent --show-error --fail --oauth2-bearer "$three" "$API")
refusal=$(exchange "$CLIENT_3" "$two" "$SUBJECT_TOKEN_TYPE_3" "$RESOURCE_3" "$WIDER")
printf '{"tokens":["%s","%s","%s"],"api":%s,"refusal":%s}\n' \
  "$one" "$two" "$three" "$answer" "$refusal"
