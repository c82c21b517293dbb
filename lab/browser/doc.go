// Package browser has the tests that drive snippetbox, the program itself, in a real Chromium.
// Screenshots of all pages are left in lab/out/browser.
package browser
