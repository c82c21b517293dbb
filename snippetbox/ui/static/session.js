// Says when the session is about to end, and when it has. It asks the server only when something
// may have changed, and asking does not keep the session alive.
"use strict";

(() => {
	const box = document.getElementById("session-warning");
	const [text, stay, login] = box.children;
	const warn = Number(box.dataset.warn); // seconds before the end
	let timer, before, asked = 0;

	function later(seconds) {
		clearTimeout(timer);
		timer = setTimeout(ask, Math.min(Math.max(seconds, .3), 86400) * 1000); // longer ones overflow
	}

	function say(message, canStay) {
		if (text.textContent !== message) text.textContent = message; // an alert is read out when it changes
		stay.hidden = !canStay;
		login.hidden = canStay;
		show(true);
	}

	// What has the focus is never under the bar: the browser scrolls it out of the way, as far as this says.
	function show(yes) {
		if (box.hidden === !yes) return;
		box.hidden = !yes;
		room();
	}

	function room() {
		document.documentElement.style.scrollPaddingBottom = box.hidden ? "" : box.offsetHeight + 16 + "px";
		const at = document.activeElement;
		if (!box.hidden && at !== document.body && at.id !== "main" && !box.contains(at)) at.scrollIntoView({ block: "nearest" });
	}
	addEventListener("resize", room);

	async function ask() {
		clearTimeout(timer);
		const mine = ++asked;
		let s;
		try {
			const answer = await fetch("/session/status", { cache: "no-store" });
			if (!answer.ok) throw new Error(answer.status);
			s = await answer.json();
		} catch {}
		if (mine !== asked) return; // it was asked again meanwhile, and this answer may be the older one
		if (!s) return later(30); // who cannot be asked has not said that it ended
		if (!s.live || !s.loggedIn) {
			const written = [...document.querySelectorAll("main textarea")].some((t) => t.value !== t.defaultValue);
			login.target = written ? "_blank" : ""; // to leave this page would lose it
			return say("You have been logged out." + (written ? " What you wrote is still here. Go on: when you send it, you log in first, and nothing is lost." : ""), false);
		}
		login.target = "";
		const left = Math.min(s.expiresIn, s.deadlineIn);
		if (left > warn) {
			show(false);
			return later(left - warn);
		}
		const end = new Date(Date.now() + left * 1000).toLocaleTimeString([], { timeStyle: warn < 60 ? "medium" : "short" });
		if (s.deadlineIn > s.expiresIn + 1) {
			if (box.hidden) say(`You will be logged out at ${end}.`, true);
		} else if (box.hidden) {
			say(`Your session ends at ${end}. Please save your work and log in again.`, false);
		}
		later(left + .3);
	}

	// Whoever was writing goes on writing.
	box.addEventListener("focusin", (e) => {
		if (e.relatedTarget && !box.contains(e.relatedTarget)) before = e.relatedTarget;
	});

	stay.addEventListener("click", async () => {
		stay.disabled = true;
		try {
			await fetch("/session/stay", { method: "POST" });
			await ask();
		} catch {
			later(1);
		}
		stay.disabled = false;
		if (box.hidden) before?.focus({ preventScroll: true });
	});

	// Clocks stand still in tabs out of sight and in computers asleep.
	document.addEventListener("visibilitychange", () => document.hidden || ask());
	addEventListener("pageshow", (e) => e.persisted && ask());
	ask();
})();
