// SPDX-License-Identifier: Apache-2.0

// Any number of requests through one HTTP/2 stream, with Go's own packages:
//
//	go run stream.go https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: stream SERVER CA CERTIFICATE KEY")
	}
	ca, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	http2 := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{
			RootCAs:      roots,
			Certificates: []tls.Certificate{client},
		},
	}
	request, err := http.NewRequest("POST", os.Args[1]+"/v1/certificates",
		io.NopCloser(bufio.NewReaderSize(os.Stdin, 1<<16)))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	// Returns with the head of the answer; the request goes on meanwhile.
	answer, err := http2.RoundTrip(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status)
	}
}
