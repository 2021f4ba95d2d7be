# rack-oauth2 as three agents with secrets in the form: its token exchange grant, a call of the API.
require 'json'
require 'rack/oauth2'

given = JSON.parse($stdin.read)
Rack::OAuth2.http_config { |http| http.ssl_config.set_trust_ca(given['ca']) }

exchange = lambda do |hop, subject_token, scope|
  client = Rack::OAuth2::Client.new(
    identifier: hop['client_id'],
    secret: hop['secret'],
    token_endpoint: given['token_endpoint']
  )
  client.subject_token = subject_token
  # Options come last, so they say which type the token has: the grant's own is jwt.
  parameters = hop['parameters'].transform_keys(&:to_sym)
  client.access_token!(:body, **parameters, scope: scope)
end

tokens = [given['subject_token']]
last = given['hops'].map do |hop|
  token = exchange.call(hop, tokens.last, hop['parameters']['scope'])
  tokens << token.access_token
  token
end.last
answer = JSON.parse(last.get(given['api']).body)
refusal =
  begin
    exchange.call(given['hops'].last, tokens[2], given['wider'])
    nil
  rescue Rack::OAuth2::Client::Error => e
    { error: e.response[:error], description: e.response[:error_description], reason: e.response[:reason] }
  end
puts JSON.generate(tokens: tokens.drop(1), api: answer, refusal: refusal)
