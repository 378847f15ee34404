using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ReadDriverLog;

/// <summary>The last lines that a session's driver wrote.</summary>
public static class ReadDriverLog
{
    /// <param name="Lines">Null: <see cref="UsualLines"/>.</param>
    public sealed record Request(SessionRef Session, int? Lines) : IRequest<Result<Log>>;

    public sealed record Log(Session Session, IReadOnlyList<string> Lines);

    private const int UsualLines = 100;
    private const int MostLines = 1_000;

    internal sealed class Validator : AbstractValidator<Request>
    {
        public Validator() => RuleFor(request => request.Lines).InclusiveBetween(1, MostLines)
            .WithMessage($"lines must be 1 to {MostLines}.").OverridePropertyName("lines");
    }

    internal sealed class Handler(ISessionCatalog catalog, IDriverLogs logs) : IRequestHandler<Request, Result<Log>>
    {
        public async Task<Result<Log>> Handle(Request request, CancellationToken cancellationToken)
        {
            var found = await catalog.RequireAsync(request.Session, cancellationToken);
            if (!found.TryGet(out var session, out var error)) return error;
            var tail = await logs.TailAsync(session, request.Lines ?? UsualLines, cancellationToken);
            return tail.TryGet(out var lines, out var missing) ? new Log(session, lines) : missing;
        }
    }
}
