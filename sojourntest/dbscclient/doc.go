// Package dbscclient gives an [http.Client] what Chromium does about Device Bound Session Credentials (w3c/webappsec-dbsc):
// it makes a key when a login invites it, keeps requests back while a bound cookie is missing, signs challenges,
// and gives up where Chromium gives up. It is for tests of applications that use package dbsc.
//
//	browser := sojourntest.NewBrowser(t, sessions, app)
//	device := dbscclient.On(browser.Client)
//	browser.PostForm("/user/login", form)
//	if len(device.Sessions()) != 1 { ... }
//
// It was held against Chromium 156. Nothing here opens a socket or sleeps, so it works in a testing/synctest bubble.
package dbscclient
