// Signing in: the token comes from the field or from the address's fragment, which never reaches a server or a log.

const form = document.getElementById("sign-in");
const field = document.getElementById("token-field");
const input = document.getElementById("token");
const problem = document.getElementById("token-problem");
const button = form.querySelector("button");
const door = document.getElementById("token-door");

function complain(text) {
  door.open = true;
  problem.textContent = text;
  field.classList.add("field--problem");
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

async function signIn(token) {
  if (!token) return complain(form.dataset.empty);
  button.disabled = true;
  try {
    const answer = await fetch("/session", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) return location.replace(form.dataset.next);
    complain(form.dataset[answer.status === 429 ? "slow" : answer.status < 500 ? "refused" : "unreachable"]);
  } catch {
    complain(form.dataset.unreachable);
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(input.value.trim());
});

function tokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  signIn(token.trim());
}

addEventListener("hashchange", tokenFromAddress);
tokenFromAddress();
