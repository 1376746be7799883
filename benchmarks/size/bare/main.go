// Bare captures a payment with net/http alone.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

func main() {
	resp, err := http.PostForm(os.Args[1], url.Values{"aid": {"123456"}, "jb": {"SALES"}, "rt": {"1"}, "tid": {os.Args[2]}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	row, err := io.ReadAll(resp.Body)
	fmt.Println(string(row), err)
}
