using System.Text;
using System.Text.Json;
using k8s;
using k8s.Models;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>The one table from what the API server answers to failures, codes and texts.</summary>
internal static class KubeErrors
{
    private const int ShownCharacters = 500;

    /// <param name="body">A Status as a rule; a missing path gives plain text, a proxy a page of HTML.</param>
    public static KubeError Of(int code, ReadOnlySpan<byte> body, KubeSubject subject) => Of(StatusOf(code, body), subject);

    public static KubeError Of(V1Status status, KubeSubject subject)
    {
        var failure = Classify(status);
        var said = subject.IsSecret && !IsAboutRights(failure, status.Message) ? "" : Clean(status.Message);
        var error = Describe(failure, status, said, subject);
        return new KubeError(failure, error) { RetryAfter = status.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null };
    }

    public static KubeError Unreachable(string why, KubeSubject subject) => new(
        KubeFailure.Unreachable,
        GatewayError.Unavailable(Blame.Cluster, $"The Kubernetes API server could not be asked to {subject}: {Sentence(why)} Try again; if it stays so, ask the platform team whether the API server is up and the gateway can reach it."));

    public static KubeError NoCredential(string why) => new(
        KubeFailure.Unauthorized,
        GatewayError.Unavailable(Blame.Gateway, $"The gateway has no way into the Kubernetes cluster: {Sentence(why)} This is for the platform team to mend."));

    public static KubeError Crowded(KubeSubject subject) => new(
        KubeFailure.Overload,
        GatewayError.Unavailable(Blame.Gateway, $"Too many requests to the Kubernetes API server wait for their turn, so it was not asked to {subject}. Try again in a minute; operators can raise kubernetes.requests_per_second."));

    public static KubeError TooLarge(int maxBytes, KubeSubject subject) => new(
        KubeFailure.TooLarge,
        new GatewayError(ErrorCode.StartFailed, Blame.Gateway, $"The answer to {subject} is larger than {maxBytes} bytes, and would be so again. Operators can raise kubernetes.max_response_megabytes or lower kubernetes.list_page_items."));

    /// <summary>One line without control characters, cut to a length that fits a notebook's error.</summary>
    public static string Clean(string? message)
    {
        var text = new StringBuilder();
        foreach (var c in (message ?? "").Trim())
        {
            var shown = char.IsControl(c) || char.IsWhiteSpace(c) ? ' ' : c;
            if (shown == ' ' && text.Length > 0 && text[^1] == ' ') continue;
            text.Append(shown);
            if (text.Length < ShownCharacters) continue;
            return text.ToString().TrimEnd() + "...";
        }

        return text.ToString();
    }

    /// <summary>The Status of an answer; of any other body one with what can be told from the code.</summary>
    public static V1Status StatusOf(int code, ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body);
        if (text.TrimStart().StartsWith('{'))
        {
            try
            {
                if (KubernetesJson.Deserialize<V1Status>(text) is { Kind: "Status" } status)
                {
                    status.Code ??= code;
                    return status;
                }
            }
            catch (JsonException)
            {
                // Cut short, or of somebody else: told by its code below.
            }
        }

        var isPage = text.TrimStart().StartsWith('<');
        return new V1Status { Code = code, Message = isPage || text.Length == 0 ? $"HTTP status {code} from something that is no API server" : text };
    }

    private static KubeFailure Classify(V1Status status)
    {
        var message = status.Message ?? "";
        return status.Code switch
        {
            400 when Has("strict decoding error") => KubeFailure.StrictDecoding,
            400 or 422 when IsDenied() => KubeFailure.WebhookDenied,
            401 => KubeFailure.Unauthorized,
            403 when Has("exceeded quota") && !IsDenied() => KubeFailure.Quota,
            403 when status.Details?.Causes?.Any(cause => cause.Reason == "NamespaceTerminating") == true || Has("because it is being terminated") => KubeFailure.NamespaceTerminating,
            403 when IsDenied() => Has("quota") ? KubeFailure.Quota : KubeFailure.WebhookDenied,
            403 => KubeFailure.Forbidden,
            404 when status.Details?.Kind == "namespaces" || message.StartsWith("namespaces \"", StringComparison.Ordinal) => KubeFailure.NamespaceMissing,
            404 => KubeFailure.NotFound,
            409 when status.Reason == "AlreadyExists" => KubeFailure.AlreadyExists,
            409 => KubeFailure.Conflict,
            410 => KubeFailure.Expired,
            // All that is said of a patch whose test failed, or whose path is gone: both a change that came first.
            422 when Has("rejected our request due to an error in our request") && status.Details?.Causes is null or [] => KubeFailure.Conflict,
            422 => KubeFailure.Invalid,
            400 or 405 or 406 or 413 or 415 => KubeFailure.Invalid,
            429 => KubeFailure.Overload,
            500 when Has("failed calling webhook") => KubeFailure.WebhookDown,
            _ => KubeFailure.Unreachable,
        };

        // "denied the request" says a webhook, "denied request" an admission policy.
        bool IsDenied() => Has("denied the request") || Has("denied request");

        bool Has(string words) => message.Contains(words, StringComparison.OrdinalIgnoreCase);
    }

    private static GatewayError Describe(KubeFailure failure, V1Status status, string said, KubeSubject subject) => failure switch
    {
        KubeFailure.Quota => new(ErrorCode.ResourceExhausted, Blame.Cluster,
            $"A quota of {subject.Place} is used up: {Sentence(said)} End sessions or jobs that are no longer needed there, or ask the platform team for a larger quota."),
        KubeFailure.Forbidden => new(ErrorCode.StartFailed, Blame.Cluster,
            $"The gateway may not {subject}: {Sentence(said)} This is for the platform team to mend: add the verb {subject.Verb} for {subject.Resource} to the role of the gateway's service account there."),
        KubeFailure.NamespaceMissing => new(ErrorCode.StartFailed, Blame.Client,
            $"The cluster has no {subject.Place}. Check team and environment; a new team's namespace is for the platform team to make."),
        KubeFailure.NamespaceTerminating => new(ErrorCode.StartFailed, Blame.Cluster,
            $"The {subject.Place} is being deleted, so nothing can start in it. Ask the platform team who deletes it, and whether it comes back."),
        KubeFailure.WebhookDenied => new(ErrorCode.InvalidArgument, Blame.Cluster,
            $"A rule of the cluster forbids this application: {Sentence(said)} Change what it names, or ask the platform team about the rule."),
        KubeFailure.WebhookDown => new(ErrorCode.Unavailable, Blame.Cluster,
            $"The cluster cannot check new applications now: {Sentence(said)} Try again in a minute; if it stays so, tell the platform team that this admission webhook does not answer."),
        KubeFailure.Invalid => new(ErrorCode.InvalidArgument, Blame.Cluster,
            $"The cluster refuses to {subject}: {Sentence(Causes(status, said, subject))} Change what it names; a value that you did not set comes from the gateway's profile, which the platform team keeps."),
        KubeFailure.StrictDecoding => new(ErrorCode.Internal, Blame.Gateway,
            $"The cluster does not know a field that the gateway sends, or the profile's template has one that does not exist: {Sentence(said)} Tell the platform team: the template is to be corrected, or the Spark operator's CRDs are of another version."),
        KubeFailure.Overload => GatewayError.Unavailable(Blame.Cluster,
            $"The Kubernetes API server is overloaded and did not {subject}. Try again in a minute."),
        KubeFailure.Unauthorized => GatewayError.Unavailable(Blame.Gateway,
            $"The Kubernetes API server does not accept the gateway's credential. This is for the platform team to mend: the gateway's service account or token has expired or was deleted."),
        KubeFailure.AlreadyExists => new(ErrorCode.StartFailed, Blame.Gateway, $"There is an object of this name already: {subject}."),
        KubeFailure.NotFound => new(ErrorCode.StartFailed, Blame.Cluster,
            $"The cluster has nothing to {subject}: {Sentence(said)} If the kind itself is missing, the Spark operator's CRDs are not installed."),
        KubeFailure.Conflict => new(ErrorCode.Unavailable, Blame.Cluster, $"Another change came first: {subject}. Try again."),
        KubeFailure.Expired => new(ErrorCode.Unavailable, Blame.Cluster, $"The API server has forgotten the version asked for: {subject}. Try again."),
        _ => Unreachable(said, subject).Error,
    };

    /// <summary>RBAC's words name an account and a kind, and nothing of what was sent.</summary>
    private static bool IsAboutRights(KubeFailure failure, string? message) =>
        failure == KubeFailure.Forbidden && message?.Contains($"cannot create resource \"{ResourceKind.Secrets.Plural}\" in API group", StringComparison.Ordinal) == true;

    /// <summary>The fields that are wrong, if the answer names them one by one: shorter than its message, which repeats the object's name.</summary>
    private static string Causes(V1Status status, string said, KubeSubject subject)
    {
        var causes = status.Details?.Causes?.Where(cause => !string.IsNullOrEmpty(cause.Field)).ToList() ?? [];
        if (subject.IsSecret) return string.Join("; ", causes.Select(cause => cause.Field));
        return causes.Count == 0 ? said : Clean(string.Join("; ", causes.Select(cause => $"{cause.Field}: {cause.Message}")));
    }

    private static string Sentence(string text) => text.Length == 0 ? "it does not say why." : text[^1] is '.' or '!' or '?' ? text : text + ".";
}
