using System.Reflection;
using FluentValidation;
using MediatR;
using SparkGateway.Domain;

namespace SparkGateway.Features.Pipeline;

/// <summary>A request that breaks its own rules never reaches its handler: all broken rules come back in one GatewayError.</summary>
internal sealed class ValidationBehavior<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators) : IPipelineBehavior<TRequest, TResponse>
{
    // Null where the response is no Result: such requests have no way to say no, and so no validator.
    private static readonly Func<GatewayError, TResponse>? Fail = FindFail();

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        if (Fail is null) return await next();
        List<Fault>? broken = null;
        foreach (var validator in validators)
        {
            var verdict = await validator.ValidateAsync(request, cancellationToken);
            if (!verdict.IsValid) (broken ??= []).AddRange(verdict.Errors.Select(error => new Fault(error.PropertyName, error.ErrorMessage)));
        }

        return broken is null ? await next() : Fail(GatewayError.Invalid(broken));
    }

    private static Func<GatewayError, TResponse>? FindFail()
    {
        var type = typeof(TResponse);
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(Result<>)) return null;
        var method = type.GetMethod(nameof(Result<>.Fail), BindingFlags.Public | BindingFlags.Static)!;
        return method.CreateDelegate<Func<GatewayError, TResponse>>();
    }
}
