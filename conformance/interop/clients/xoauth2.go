// golang.org/x/oauth2 as three agents with secrets: clientcredentials with another grant type, a call of the API.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type hop struct {
	ClientID   string            `json:"client_id"`
	Secret     string            `json:"secret"`
	Parameters map[string]string `json:"parameters"`
}

type given struct {
	GrantType     string `json:"grant_type"`
	TokenEndpoint string `json:"token_endpoint"`
	API           string `json:"api"`
	SubjectToken  string `json:"subject_token"`
	Wider         string `json:"wider"`
	Hops          []hop  `json:"hops"`
}

func configOf(g given, h hop, subject string) *clientcredentials.Config {
	form := url.Values{"grant_type": {g.GrantType}, "subject_token": {subject}}
	for name, value := range h.Parameters {
		form.Set(name, value)
	}
	return &clientcredentials.Config{
		ClientID:       h.ClientID,
		ClientSecret:   h.Secret,
		TokenURL:       g.TokenEndpoint,
		EndpointParams: form,
		AuthStyle:      oauth2.AuthStyleInHeader,
	}
}

func main() {
	ctx := context.Background()
	var g given
	must(json.NewDecoder(os.Stdin).Decode(&g))
	subject := g.SubjectToken
	var tokens []string
	var last *oauth2.Token
	for _, h := range g.Hops {
		token, err := configOf(g, h, subject).Token(ctx)
		must(err)
		subject = token.AccessToken
		tokens = append(tokens, subject)
		last = token
	}
	reply, err := oauth2.NewClient(ctx, oauth2.StaticTokenSource(last)).Get(g.API)
	must(err)
	answer, err := io.ReadAll(reply.Body)
	must(err)

	wider := g.Hops[2]
	wider.Parameters["scope"] = g.Wider
	_, err = configOf(g, wider, tokens[1]).Token(ctx)
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		log.Fatalf("not refused: %v", err)
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"tokens":  tokens,
		"api":     json.RawMessage(answer),
		"refusal": json.RawMessage(refused.Body),
	}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
