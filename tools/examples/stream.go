// SPDX-License-Identifier: Apache-2.0

// Any number of requests through one HTTP/2 stream, with Go's own packages:
//
//	go run stream.go https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
//
// Exit status: 0 if all were signed, 1 if a line is a problem, 2 if it did not
// come to an end.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"os"
)

func fail(reason any) {
	log.Print(reason)
	os.Exit(2)
}

// pass copies the answers to standard output and counts the problems.
func pass(from io.Reader) (problems int, err error) {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	in := bufio.NewReaderSize(from, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		// In a text its quotes would be escaped: only problems have this.
		if bytes.Contains(line, []byte(`"status":`)) {
			problems++
		}
		if _, err := out.Write(line); err != nil {
			return problems, err
		}
		if in.Buffered() == 0 || err != nil {
			if err := out.Flush(); err != nil {
				return problems, err
			}
		}
		if err == io.EOF {
			return problems, nil
		}
		if err != nil {
			return problems, err
		}
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		fail("usage: stream SERVER CA CERTIFICATE KEY")
	}
	ca, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	if err != nil {
		fail(err)
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
		fail(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	// Returns with the head of the answer; the request goes on meanwhile.
	answer, err := http2.RoundTrip(request)
	if err != nil {
		fail(err)
	}
	defer answer.Body.Close()
	problems, err := pass(answer.Body)
	if err != nil {
		fail(err)
	}
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status)
	}
	if problems > 0 {
		os.Exit(1)
	}
}
