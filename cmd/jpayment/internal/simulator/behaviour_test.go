package simulator_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// Every setting of the gateway's behaviour can be changed through the API and in the panel while
// it runs, and both show it.
func TestEverySettingIsEverywhere(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for _, s := range assumed.Settings() {
		after := r.control(t, "PATCH", "/settings", `{"`+s.Key+`":"`+s.Flip+`"}`, http.StatusOK)
		require.Equal(t, settings(map[string]any{
			"test_mode": false, "maintenance": false, "kickback_url": "", "registered_ips": []any{"127.0.0.0/8", "::1/128"}, s.Key: s.Flip,
		}), after)
		page := r.show(t, "/panel/behaviour", "en")
		require.Contains(t, page, `class="setting differs" id="setting-`+s.Key+`"`)
		require.Contains(t, page, "Settings that differ from the assumptions: 1.")
		require.Contains(t, r.show(t, "/panel/", "ja"), "前提と異なる設定：1件")

		form := url.Values{s.Key: {s.Default}, "was." + s.Key: {s.Flip}}
		_, page = r.submitForm(t, "/panel/settings/behaviour", form)
		require.Contains(t, page, "As assumed", s.Key)
		require.Equal(t, s.Default, r.control(t, "GET", "/settings", "", http.StatusOK)[s.Key])
	}
}

// A form that was loaded before someone else's change does not undo that change.
func TestPanelSetsWhatWasChangedInIt(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	form := url.Values{"columns": {"14"}, "was.columns": {"13"}, "second_sales": {"ER032"}, "was.second_sales": {"ER032"}}
	r.control(t, "PATCH", "/settings", `{"second_sales":"done"}`, http.StatusOK)
	_, page := r.submitForm(t, "/panel/settings/behaviour", form)
	require.Contains(t, page, "Settings that differ from the assumptions: 2.")
	_, page = r.submitForm(t, "/panel/settings/behaviour/reset", nil)
	require.Contains(t, page, "As assumed")
	require.Equal(t, "ER032", r.control(t, "GET", "/settings", "", http.StatusOK)["second_sales"])
}

func TestWhatTheGatewayCannotBeTold(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for body, want := range map[string]string{
		`{"columns":12}`:                       `columns: "12" is not 13, 14 or 11`,
		`{"columns":true}`:                     "columns: must be a string, not bool",
		`{"columns":null}`:                     "columns: is null",
		`{"columns":14,"columns":13}`:          "columns: appears twice",
		`{"colums":14}`:                        "colums: is not a known field (known: test_mode, maintenance, registered_ips, kickback_url, acceptance,",
		`{"columns":14,"kickback_delay":"1h"}`: `kickback_delay: "1h" is not a duration from 0s to 30s`,
	} {
		require.Contains(t, r.control(t, "PATCH", "/settings", body, http.StatusBadRequest)["error"], want)
	}
	require.Equal(t, "13", r.control(t, "GET", "/settings", "", http.StatusOK)["columns"], "nothing was set")
	require.Equal(t, "14", r.control(t, "PATCH", "/settings", `{"columns":14}`, http.StatusOK)["columns"], "a number is one too")
	require.Contains(t, r.control(t, "POST", "/payments", `{"columns":14}`, http.StatusBadRequest)["error"], "columns: is not a known field")
}

// Settings given at startup override those in the file and are saved in it.
func TestSettingsToBeginWith(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	set := []simulator.Setting{{"columns", "14"}, {"test_mode", "true"}, {"registered_ips", "127.0.0.1,10.0.0.0/8"}, {"kickback_url", "http://localhost:1/"}}
	r := start(t, simulator.Config{State: path, Set: set})
	want := settings(map[string]any{
		"columns": "14", "test_mode": true, "maintenance": false, "kickback_url": "http://localhost:1/",
		"registered_ips": []any{"127.0.0.1/32", "10.0.0.0/8"},
	})
	require.Equal(t, want, r.control(t, "GET", "/settings", "", http.StatusOK))
	r.stopped(t)
	r = start(t, simulator.Config{State: path})
	require.Equal(t, want, r.control(t, "GET", "/settings", "", http.StatusOK))
	r.stopped(t)

	profile, err := assumed.ParseProfile([]byte(`{"version":1,"assumptions":[{"number":54,"setting":"second_sales","value":"done","verdict":"refuted"}]}`))
	require.NoError(t, err)
	r = start(t, simulator.Config{State: path, Profile: &profile, Set: []simulator.Setting{{"line_end", "none"}}})
	want["columns"], want["second_sales"], want["line_end"] = "13", "done", "none"
	require.Equal(t, want, r.control(t, "GET", "/settings", "", http.StatusOK))

	for _, bad := range []simulator.Setting{{"columns", "12"}, {"test_mode", "on"}, {"registered_ips", "x"}, {"kickback_url", "http://store.example/"}, {"colour", "red"}} {
		require.Error(t, simulator.CheckSetting(bad), bad)
		_, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", Set: []simulator.Setting{bad}})
		require.Equal(t, simulator.CheckSetting(bad), err)
	}
}

// A store with connection authentication checks no addresses.
func TestConnectionAuth(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{ConnectionAuth: "secret"})
	id := r.authorize(t)
	_, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
	require.ErrorIs(t, err, jpayment.CodeSourceIP)
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(r.URL), jpayment.WithConnectionAuth("secret"))
	require.NoError(t, err)
	_, err = client.Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
	require.NoError(t, err)
}
