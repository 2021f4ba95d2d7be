"""requests-oauthlib as three agents with secrets: a grant of its own on oauthlib's client, a call of the API."""
import json
import sys

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

given = json.load(sys.stdin)


class TokenExchangeClient(BackendApplicationClient):
    grant_type = given["grant_type"]


def exchange(session, hop, subject_token, scope):
    parameters = {**hop["parameters"], "scope": scope.split()}
    return session.fetch_token(
        given["token_endpoint"],
        client_secret=hop["secret"],
        subject_token=subject_token,
        **parameters,
    )


tokens = [given["subject_token"]]
for hop in given["hops"]:
    session = OAuth2Session(client=TokenExchangeClient(hop["client_id"]))
    scope = hop["parameters"]["scope"]
    tokens.append(exchange(session, hop, tokens[-1], scope)["access_token"])
answer = session.get(given["api"]).json()
try:
    exchange(session, hop, tokens[2], given["wider"])
    refusal = None
except OAuth2Error as error:
    refusal = {"error": error.error, "description": error.description}
json.dump({"tokens": tokens[1:], "api": answer, "refusal": refusal}, sys.stdout)
