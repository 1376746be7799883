package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// serve answers captures until its standard input ends, and says first where it
// listens. It runs in a process of its own, so that it is measured with nobody.
func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	latency, err := time.ParseDuration(os.Getenv(latencyVariable))
	if err != nil {
		return err
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if latency > 0 {
			timer := time.NewTimer(latency)
			defer timer.Stop()
			<-timer.C
		}
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"id":"pi_1","object":"payment_intent","amount":1580,"currency":"jpy","status":"succeeded"}`)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "10000001,1,A00001,,20000001,o-1,1000,80,500,1580,,,\r\n")
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, http.HandlerFunc(handler))
}
