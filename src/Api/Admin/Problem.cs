using SparkGateway.Domain;

namespace SparkGateway.Api.Admin;

/// <summary>One thing that is wrong with the input.</summary>
internal sealed record ProblemFault(string Field, string Detail);

/// <summary>What went wrong, as RFC 9457 says it.</summary>
/// <param name="Type">One URN for each error code.</param>
/// <param name="Detail">What happened, why, what to do next.</param>
/// <param name="Errors">Every fault of an input.</param>
internal sealed record Problem(string Type, string Title, int Status, string Detail, IReadOnlyList<ProblemFault>? Errors = null)
{
    public const string ContentType = "application/problem+json";

    public static Problem Of(GatewayError error) => new(
        $"urn:spark-gateway:problem:{AdminJson.Word(error.Code)}",
        error.Code.Title(),
        error.Code.ToHttpStatus(),
        error.Text,
        error.Faults.Count == 0 ? null : [.. error.Faults.Select(fault => new ProblemFault(fault.Field, fault.Text))]);

    public IResult ToResult() => Results.Json(this, AdminJson.Options, ContentType, Status);
}
