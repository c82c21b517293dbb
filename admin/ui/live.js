"use strict";
(() => {
	const list = document.getElementById("figures");
	const state = document.getElementById("figures-state");
	const pause = document.getElementById("figures-pause");
	// Whoever wants no motion sees none that was not asked for.
	let source = null, paused = matchMedia("(prefers-reduced-motion: reduce)").matches, over = false;

	const show = cards => {
		for (const c of cards) {
			const card = document.getElementById("figure-" + c.id);
			if (!card) continue;
			card.querySelector(".value").textContent = c.value;
			card.querySelector(".note").textContent = c.note;
			card.querySelector("path").setAttribute("d", c.path);
		}
	};
	const stop = text => {
		source?.close();
		source = null;
		state.textContent = text;
	};
	// A stream that breaks is not begun anew by itself: each one uses the session, and would keep it alive.
	const finish = text => {
		over = true;
		pause.hidden = true;
		stop(text);
	};
	const start = () => {
		if (source || paused || over || document.hidden) return;
		source = new EventSource(list.dataset.live);
		source.onopen = () => { state.textContent = "Live"; };
		source.onmessage = e => show(JSON.parse(e.data));
		source.addEventListener("over", e => finish(e.data));
		source.onerror = () => finish("The figures have stopped. Reload the page to go on.");
	};

	const obey = () => {
		pause.textContent = paused ? "Go on" : "Pause";
		if (paused) stop("Paused");
		else start();
	};
	pause.addEventListener("click", () => {
		paused = !paused;
		obey();
	});
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden) start();
		else if (source) stop("Paused");
	});
	addEventListener("pagehide", () => source?.close());
	pause.hidden = false;
	obey();
})();
