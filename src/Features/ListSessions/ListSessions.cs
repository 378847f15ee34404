using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ListSessions;

/// <summary>Sessions by team, user, namespace and state, page by page.</summary>
public static class ListSessions
{
    /// <param name="Limit">Null: as many as a page may hold.</param>
    public sealed record Request(SessionFilter Filter, SessionPageKey? After = null, int? Limit = null) : IRequest<Result<SessionPage>>;

    internal sealed class Validator : AbstractValidator<Request>
    {
        private const int LongestUser = 1_024;

        public Validator(FeatureOptions options)
        {
            RuleFor(request => request.Filter.Team).Must(team => SessionName.IsLabel(team!)).When(request => request.Filter.Team is not null)
                .WithMessage($"team must be {SessionName.LabelRule}.").OverridePropertyName("team");
            RuleFor(request => request.Filter.Namespace).Must(space => SessionName.IsLabel(space!)).When(request => request.Filter.Namespace is not null)
                .WithMessage($"namespace must be {SessionName.LabelRule}.").OverridePropertyName("namespace");
            RuleFor(request => request.Filter.User).MaximumLength(LongestUser)
                .WithMessage($"user must have at most {LongestUser} characters.").OverridePropertyName("user");
            RuleFor(request => request.Limit).InclusiveBetween(1, options.PageItems)
                .WithMessage($"limit must be 1 to {options.PageItems} (admin.max_page_items).").OverridePropertyName("limit");
        }
    }

    internal sealed class Handler(ISessionCatalog catalog, FeatureOptions options) : IRequestHandler<Request, Result<SessionPage>>
    {
        public Task<Result<SessionPage>> Handle(Request request, CancellationToken cancellationToken) =>
            catalog.ListAsync(request.Filter, request.After, request.Limit ?? options.PageItems, cancellationToken);
    }
}
