"""Authlib as three agents with keys: metadata (RFC 8414), private_key_jwt, token exchange, a call of the API."""
import json
import sys
import time

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

given = json.load(sys.stdin)
metadata = AuthorizationServerMetadata(
    requests.get(get_well_known_url(given["issuer"], external=True)).json()
)
metadata.validate()


def session_of(hop):
    return OAuth2Session(hop["client_id"], hop["jwk"], token_endpoint_auth_method="private_key_jwt")


def exchange(session, subject_token, parameters):
    # The server takes assertions for its issuer alone, of five minutes at most: Authlib's are for the token endpoint and an hour,
    # unless told. What is told here is used once: Authlib puts the jti into these claims.
    claims = {"exp": int(time.time()) + 60}
    session.register_client_auth_method(PrivateKeyJWT(given["issuer"], claims, alg="ES256"))
    return session.fetch_token(
        metadata["token_endpoint"],
        grant_type=given["grant_type"],
        subject_token=subject_token,
        **parameters,
    )


tokens = [given["subject_token"]]
for hop in given["hops"]:
    session = session_of(hop)
    tokens.append(exchange(session, tokens[-1], hop["parameters"])["access_token"])
answer = session.get(given["api"]).json()
try:
    exchange(session, tokens[2], {**hop["parameters"], "scope": given["wider"]})
    refusal = None
except OAuthError as error:
    refusal = {"error": error.error, "description": error.description}
json.dump({"tokens": tokens[1:], "api": answer, "refusal": refusal}, sys.stdout)
