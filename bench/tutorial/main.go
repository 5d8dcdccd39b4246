// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A program of the design that EventBus starts from, to compare with: a map of
// addresses behind a mutex, and a goroutine for every delivery that is made
// with http.Post and neither bounded nor repeated.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

// A subscriber that has not called for so long is removed.
const lease = 2 * time.Minute

type bus struct {
	mutex       sync.RWMutex
	subscribers map[string]time.Time
}

func refuse(w http.ResponseWriter, reason string) {
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprint(w, "Error:", reason)
}

// address returns the query's address, or refuses the request.
func address(w http.ResponseWriter, r *http.Request) (string, bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, err.Error())
		return "", false
	}
	if values.Get("address") == "" {
		refuse(w, "Wrong input address.")
		return "", false
	}
	return values.Get("address"), true
}

// only calls handle for one method and refuses the others.
func only(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			refuse(w, " Only "+method+" accepted")
			return
		}
		handle(w, r)
	}
}

func (b *bus) register(w http.ResponseWriter, r *http.Request) {
	if subscriber, ok := address(w, r); ok {
		b.mutex.Lock()
		b.subscribers[subscriber] = time.Now()
		b.mutex.Unlock()
		fmt.Fprint(w, "success")
	}
}

func (b *bus) deregister(w http.ResponseWriter, r *http.Request) {
	if subscriber, ok := address(w, r); ok {
		b.mutex.Lock()
		delete(b.subscribers, subscriber)
		b.mutex.Unlock()
		fmt.Fprint(w, "success")
	}
}

func (b *bus) publish(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		fmt.Println(err)
	}
	b.mutex.RLock()
	for subscriber := range b.subscribers {
		go deliver(data, subscriber)
	}
	b.mutex.RUnlock()
	fmt.Fprint(w, "success")
}

func deliver(data []byte, subscriber string) {
	_, err := http.Post("http://"+subscriber+"/event", "", bytes.NewBuffer(data))
	if err != nil {
		fmt.Println(err)
	}
}

func (b *bus) list(w http.ResponseWriter, r *http.Request) {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	for subscriber, renewed := range b.subscribers {
		fmt.Fprintln(w, subscriber, " : ", renewed.Format(time.RFC3339))
	}
}

func (b *bus) reap() {
	for now := range time.Tick(time.Minute) {
		b.mutex.Lock()
		for subscriber, renewed := range b.subscribers {
			if now.Sub(renewed) > lease {
				delete(b.subscribers, subscriber)
			}
		}
		b.mutex.Unlock()
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to listen")
	flag.Parse()

	b := &bus{subscribers: make(map[string]time.Time)}
	http.HandleFunc("/registerAndKeepAlive", only(http.MethodPost, b.register))
	http.HandleFunc("/deregister", only(http.MethodDelete, b.deregister))
	http.HandleFunc("/sendMessage", only(http.MethodPost, b.publish))
	http.HandleFunc("/listSubscribers", only(http.MethodGet, b.list))
	go b.reap()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready: http://" + listener.Addr().String())
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
	os.Exit(1)
}
